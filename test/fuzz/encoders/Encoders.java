// The ways in which programs in Java print a text. Input: each text in base64 on a line. Output: lines of number, name and
// text, the last two in base64, separated by spaces.

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.StringWriter;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Properties;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamWriter;

public class Encoders {
    static int number = 0;

    static void print(String name, String text) {
        Base64.Encoder base64 = Base64.getEncoder();
        System.out.println(number + " " + base64.encodeToString(name.getBytes(StandardCharsets.UTF_8)) + " "
            + base64.encodeToString(text.getBytes(StandardCharsets.UTF_8)));
    }

    public static void main(String[] args) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            encode(new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8));
            number++;
        }
    }

    static void encode(String value) throws Exception {
        byte[] data = value.getBytes(StandardCharsets.UTF_8);
        print("java URLEncoder", URLEncoder.encode(value, StandardCharsets.UTF_8));
        print("java URI", new URI(null, null, "/" + value, null).getRawPath().substring(1));
        print("java base64", Base64.getEncoder().encodeToString(data));
        print("java base64 for URLs", Base64.getUrlEncoder().withoutPadding().encodeToString(data));
        print("java base64 in lines", Base64.getMimeEncoder().encodeToString(data));
        print("java hex", HexFormat.of().formatHex(data));
        print("java hex, separated", HexFormat.ofDelimiter(":").withUpperCase().formatHex(data));
        print("java Arrays.toString", Arrays.toString(data));
        StringWriter stored = new StringWriter();
        Properties properties = new Properties();
        properties.setProperty("v", value);
        properties.store(stored, null);
        String text = stored.toString();
        print("java properties", text.substring(text.indexOf("\nv=") + 3).stripTrailing());
        StringWriter xml = new StringWriter();
        XMLStreamWriter writer = XMLOutputFactory.newInstance().createXMLStreamWriter(xml);
        writer.writeCharacters(value);
        writer.flush();
        print("java xml", xml.toString());
    }
}
