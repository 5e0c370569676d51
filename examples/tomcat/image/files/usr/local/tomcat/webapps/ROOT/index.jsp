<%@ page contentType="text/plain" %><%
    // Counts the visits of a session.
    Integer visits = (Integer) session.getAttribute("visits");
    visits = visits == null ? 1 : visits + 1;
    session.setAttribute("visits", visits);
%>visit <%= visits %>
